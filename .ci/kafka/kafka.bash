# Sourced by the scripts beside it. Runs Apache Kafka's own programs, of the jars that pom.xml names and jars.sha256
# pins. Maven brings them from Maven Central once, into ${XDG_CACHE_HOME:-$HOME/.cache}/barnabas-kafka.
#
#   kafka_jars                 sees to it that all jars are there, each with the checksum it should have
#   free_port                  prints a port that nobody listens on, nor on the next one
#   kafka CLASS [ARG…]         becomes a class of them (call it in a subshell); KAFKA_LOG is the log level, WARN unless set

kafka_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kafka_sums=$kafka_here/jars.sha256
# One folder for each list, so that a new list never meets old jars.
kafka_folder=${XDG_CACHE_HOME:-$HOME/.cache}/barnabas-kafka/$(sha256sum "$kafka_sums" | cut -c 1-16)

# .ci/run brings a need that installs. By hand, whoever runs this installs.
if ! declare -F need >/dev/null; then
	need() {
		command -v "$1" >/dev/null || { echo "no command $1: install the package ${2:-$1}" >&2; return 1; }
	}
fi

kafka_jars() {
	need java default-jre-headless
	if [[ ! -e $kafka_folder ]]; then
		kafka_fetch
	fi
	(cd "$kafka_folder" && sha256sum --check --quiet --strict "$kafka_sums") >&2
}

# The folder appears under its name only when Maven is done with it.
kafka_fetch() {
	local part
	need mvn maven
	mkdir -p "${kafka_folder%/*}"
	part=$(mktemp -d "$kafka_folder.XXXXXX")
	if ! mvn --batch-mode --quiet --strict-checksums --file "$kafka_here/pom.xml" \
		org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$part" >&2; then
		rm -rf "$part"
		return 1
	fi
	chmod 755 "$part"
	mv -T "$part" "$kafka_folder"
}

kafka() {
	local class=$1 jar path=
	shift
	while read -r _ jar; do
		path+=$kafka_folder/$jar:
	done <"$kafka_sums"
	# Everything here is short, and starting is most of it: compile little, collect with one thread.
	exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.level="${KAFKA_LOG:-WARN}" \
		-cp "${path%:}" "$class" "$@"
}

# Below those that the kernel gives to clients.
free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 5000 * 2))
		if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && ! (: <"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
}
