# Sourced by parts that need a broker of the real binary on loopback.
#
#   build_broker               builds it
#   start_broker DATA [FLAG…]  starts it and waits until it is ready; sets broker_pid and address
#   kill_broker SIGNAL         ends it by its process id and waits; broker_code is its exit code
#
# It makes the folder $work for the part's files, and removes it with the broker at the end.

work=$(mktemp -d)
broker_pid=
trap 'kill_broker KILL; rm -rf "$work"' EXIT

build_broker() {
	go build -o "$work/barnabas" ./cmd/barnabas
}

start_broker() {
	local data=$1 deadline=$((SECONDS + 120))
	shift
	"$work/barnabas" start --listen localhost:0 --data "$data" --ready-file "$work/ready" "$@" 2>>"$work/broker.log" &
	broker_pid=$!
	# The file of an earlier start is gone when the new broker has begun; its name would do for a broker that died.
	until [[ -e $work/ready ]] && kill -0 "$broker_pid" && address=$(<"$work/ready"); do
		if ! kill -0 "$broker_pid" 2>/dev/null || ((SECONDS > deadline)); then
			echo "the broker is not ready:"
			cat "$work/broker.log"
			return 1
		fi
		sleep 0.01
	done
}

kill_broker() {
	[[ $broker_pid ]] || return 0
	kill -"$1" "$broker_pid" 2>/dev/null || true
	broker_code=0
	wait "$broker_pid" 2>/dev/null || broker_code=$?
	broker_pid=
	rm -f "$work/ready"
}

fail() {
	echo "FAILED: $*"
	exit 1
}
