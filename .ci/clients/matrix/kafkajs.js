// kafkajs in the client matrix. Its consumer works in groups only.
const { Kafka, CompressionTypes, logLevel } = require('kafkajs')

const kafka = new Kafka({ brokers: [process.env.BOOTSTRAP], logLevel: logLevel.NOTHING, retry: { retries: 3 } })
const admin = kafka.admin()
const records = 100
let failed = false

async function attempt(name, f) {
  try {
    console.log(`${name}\t${(await f()) || 'ok'}`)
  } catch (e) {
    failed = true
    console.log(`${name}\tFAILED: ${e}`)
  }
}

function want(what, got, wanted) {
  if (got !== wanted) throw new Error(`${what}: ${got}, want ${wanted}`)
}

async function send(topic, acks, options = {}, compression = CompressionTypes.None) {
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] })
  const producer = kafka.producer(options)
  await producer.connect()
  const messages = [...Array(records).keys()].map(n => ({ key: `${n}`, value: `value ${n}, which compresses well, well, well`, partition: 0 }))
  await producer.send({ topic, acks, compression, messages })
  await producer.disconnect()
  const [{ high }] = await admin.fetchTopicOffsets(topic)
  if (acks !== 0) want('end', high, `${records}`)
}

(async () => {
  await attempt('connect', () => admin.connect())
  await attempt('create topic', async () => {
    want('created', await admin.createTopics({ topics: [{ topic: 'kafkajs', numPartitions: 2, replicationFactor: 1 }] }), true)
  })
  await attempt('list topics', async () => want('listed', (await admin.listTopics()).includes('kafkajs'), true))
  await attempt('produce acks=0', () => send('kafkajs-0', 0))
  await attempt('produce acks=1', () => send('kafkajs-1', 1))
  await attempt('produce acks=all', () => send('kafkajs-all', -1))
  await attempt('produce idempotent', () => send('kafkajs-idempotent', -1, { idempotent: true, maxInFlightRequests: 1 }))
  await attempt('gzip', () => send('kafkajs-gzip', -1, {}, CompressionTypes.GZIP))
  await attempt('consume in a group', async () => 'needs groups')
  await attempt('offsets by time', async () => {
    const [{ offset }] = await admin.fetchTopicOffsetsByTimestamp('kafkajs-all', Date.now() - 3600000)
    want('an hour ago', offset, '0')
  })
  await attempt('describe configs', async () => {
    const { resources } = await admin.describeConfigs({ includeSynonyms: true, resources: [{ type: 2, name: 'kafkajs' }] })
    want('rows', resources[0].configEntries.length > 0, true)
  })
  await attempt('alter configs', () => admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'kafkajs', configEntries: [{ name: 'retention.ms', value: '12345678' }] }] }).then(() => undefined))
  await attempt('add partitions', async () => {
    await admin.createPartitions({ topicPartitions: [{ topic: 'kafkajs', count: 4 }] })
  })
  await attempt('delete records', () => admin.deleteTopicRecords({ topic: 'kafkajs-all', partitions: [{ partition: 0, offset: '10' }] }))
  await attempt('describe cluster', async () => want('brokers', (await admin.describeCluster()).brokers.length, 1))
  await attempt('delete topic', () => admin.deleteTopics({ topics: ['kafkajs'] }))
  await admin.disconnect()
  process.exit(failed ? 1 : 0)
})()
