package main

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRealBrokerSettings changes what may change of a running broker, with kadm and with our own command, and sees that it
// counts at once, after a start, and no more when it was taken back.
func TestRealBrokerSettings(t *testing.T) {
	folder := t.TempDir()
	b := startBroker(t, folder, "--set", "max.connections.per.ip=50", "--set", "node.id=1")
	admin := kadm.NewClient(client(t, b))
	const name = "max.connections.per.ip"
	alter := func(op kadm.IncrementalOp, setting, value string, brokers ...int32) error {
		t.Helper()
		answer, err := admin.AlterBrokerConfigs(within(t), []kadm.AlterConfig{{Op: op, Name: setting, Value: &value}}, brokers...)
		if err != nil || len(answer) != 1 {
			t.Fatalf("%s: %+v, %v", setting, answer, err)
		}
		if answer[0].Err != nil && !strings.Contains(answer[0].ErrMessage, setting) {
			t.Errorf("%s: the message is %q", setting, answer[0].ErrMessage)
		}
		return answer[0].Err
	}
	shown := func(want string) {
		t.Helper()
		request := kmsg.NewPtrDescribeConfigsRequest()
		request.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "1"}}
		request.IncludeSynonyms = true
		for _, c := range dial(t, b).ask(4, request).(*kmsg.DescribeConfigsResponse).Resources[0].Configs {
			if c.Name != name && c.Name != "node.id" {
				continue
			}
			got := *c.Value + " " + c.Source.String()
			for _, s := range c.ConfigSynonyms {
				got += " " + *s.Value
			}
			if c.ReadOnly {
				got += " fixed"
			}
			if c.Name == "node.id" && got != "1 STATIC_BROKER_CONFIG 1 1 fixed" || c.Name == name && got != want {
				t.Errorf("%s is %s, want %s", c.Name, got, want)
			}
		}
	}
	// refuses says whether one of 20 connections is closed. Those that stay answer nothing, as they are asked nothing.
	refuses := func() bool {
		var open []net.Conn
		for range 20 {
			conn, err := net.Dial("tcp", b.address())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			open = append(open, conn)
		}
		for _, conn := range open {
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				return true
			}
		}
		return false
	}

	shown("50 STATIC_BROKER_CONFIG 50 2147483647")
	if err := alter(kadm.SetConfig, name, "30"); err != nil {
		t.Fatal(err)
	}
	shown("30 DYNAMIC_DEFAULT_BROKER_CONFIG 30 50 2147483647")
	if err := alter(kadm.SetConfig, name, "9", 1); err != nil {
		t.Fatal(err)
	}
	shown("9 DYNAMIC_BROKER_CONFIG 9 30 50 2147483647")
	if !refuses() {
		t.Error("more connections are taken than max.connections.per.ip is now")
	}
	b.stop(t)
	b = startBroker(t, folder, "--set", "max.connections.per.ip=50", "--set", "node.id=1", "--listen", b.address())
	if !refuses() {
		t.Error("after a start, more connections are taken than were allowed before")
	}
	alterCommand := execute(t, "config", "alter", "-b", b.address(), "--broker", "1", "--unset", name)
	if code := alterCommand.code(t); code != 0 {
		t.Fatalf("exit %d: %s", code, alterCommand.said())
	}
	shown("30 DYNAMIC_DEFAULT_BROKER_CONFIG 30 50 2147483647")

	for setting, value := range map[string]string{"node.id": "7", "durability": "fsync", "num.io.threads": "4"} {
		if err := alter(kadm.SetConfig, setting, value, 1); !errors.Is(err, kerr.InvalidRequest) {
			t.Errorf("%s: %v", setting, err)
		}
	}
	for setting, value := range map[string]string{name: "many", "max.connections.per.ip.overrides": "1.2.3.4", "max.conections": "1"} {
		if err := alter(kadm.SetConfig, setting, value, 1); !errors.Is(err, kerr.InvalidConfig) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
