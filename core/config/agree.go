package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// agree checks what no row can check alone.
func (s *Settings) agree() ([]Warning, error) {
	s.giveWay("journal.checkpoint.bytes", "journal.max.bytes", 4)
	var errs []error
	for _, b := range bounds {
		errs = append(errs, s.check(b))
	}
	errs = append(errs, s.checkRetention())
	_, err := s.ConnectionsPerIP()
	errs = append(errs, err, s.checkRequestMemory())
	if address := s.String("metrics.listen"); address != "" {
		if err := CheckAddress(address); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.describe("metrics.listen"), err))
		}
	}
	if folders := s.List("log.dirs"); len(folders) != 1 {
		errs = append(errs, fmt.Errorf("%s names %d folders: name one, several are not served yet",
			s.describe("log.dirs"), len(folders)))
	}
	warnings, err := s.readListeners()
	return warnings, errors.Join(append(errs, err)...)
}

// giveWay lowers a setting that nobody gave to what the larger one leaves room for.
func (s *Settings) giveWay(small, large string, parts int64) {
	e := &s.values[place(small)]
	most := s.values[place(large)].number / parts
	if e.given || e.number <= most {
		return
	}
	e.number, e.text = most, strconv.FormatInt(most, 10)
}

// checkRetention refuses a time of zero, as Kafka does. It is of whichever of the three settings counts.
func (s *Settings) checkRetention() error {
	for _, synonym := range topicTable[placeOfTopic("retention.ms")].Broker {
		switch i := place(synonym.Name); {
		case s.values[i].unset:
		case s.values[i].number != 0:
			return nil
		default:
			return fmt.Errorf("%s keeps no record at all: take 1 or more, or -1 to keep all", s.describe(synonym.Name))
		}
	}
	return nil
}

// describe returns name=value and where it comes from.
func (s *Settings) describe(name string) string {
	e := s.values[place(name)]
	if e.unset {
		return name + " (not set)"
	}
	return fmt.Sprintf("%s=%s (%v)", name, e.text, e.origin)
}

// readListeners finds the addresses to listen on.
func (s *Settings) readListeners() ([]Warning, error) {
	protocols, err := s.protocols()
	if err != nil {
		return nil, err
	}
	var warnings []Warning
	var errs []error
	for _, text := range s.List("listeners") {
		name, address, err := cutListener(text)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", s.describe("listeners"), err))
		case contains(s.List("controller.listener.names"), name):
			warnings = append(warnings, Warning("listener "+text+" is for controllers and is not opened"))
		default:
			errs = append(errs, s.checkProtocol(name, protocols))
			s.listeners = append(s.listeners, listener{name: name, address: address})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(s.listeners) == 0 {
		return nil, fmt.Errorf("%s leaves no address for clients: name one as PLAINTEXT://HOST:PORT", s.describe("listeners"))
	}
	return warnings, s.readAdvertised()
}

// readAdvertised finds what clients of each listener are told.
func (s *Settings) readAdvertised() error {
	var errs []error
	for _, text := range s.List("advertised.listeners") {
		name, address, err := cutListener(text)
		if err == nil {
			err = checkAdvertised(address)
		}
		found := false
		for i := range s.listeners {
			if l := &s.listeners[i]; strings.EqualFold(l.name, name) {
				l.advertised, found = address, true
			}
		}
		switch {
		case err != nil:
		case !found && !contains(s.List("controller.listener.names"), name):
			err = fmt.Errorf("listener %s is not among %s", name, s.describe("listeners"))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.describe("advertised.listeners"), err))
		}
	}
	return errors.Join(errs...)
}

// checkAdvertised says what is wrong with an address to tell clients.
func checkAdvertised(address string) error {
	switch host := address[:strings.LastIndexByte(address, ':')]; host {
	case "", "0.0.0.0", "[::]":
		return fmt.Errorf("%q names no host a client could connect to; write the name or address they reach this machine by", address)
	}
	return nil
}

// cutListener takes NAME://HOST:PORT apart.
func cutListener(text string) (name, address string, err error) {
	name, address, found := strings.Cut(text, "://")
	if !found || name == "" {
		return "", "", fmt.Errorf("%q is no listener; write PLAINTEXT://HOST:PORT", text)
	}
	return name, address, CheckAddress(address)
}

// CheckAddress says what is wrong with HOST:PORT, if anything is. The host may be empty; an IPv6 one stands in brackets.
func CheckAddress(address string) error {
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return fmt.Errorf("%q has no port; write HOST:PORT, with port 0 for a free one", address)
	}
	host, port := address[:colon], address[colon+1:]
	if _, err := between(Int, 0, 1<<16-1).read(port); err != nil {
		return fmt.Errorf("port %q of %q is none; take 0 to 65535, 0 for a free one", port, address)
	}
	inBrackets := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if strings.ContainsAny(host, " ,/") || strings.Contains(host, ":") != inBrackets {
		return fmt.Errorf("host %q of %q is none; write an IPv6 address in brackets, as [::1]:9092", host, address)
	}
	return nil
}

// protocols returns listener names and what each stands for, in turn.
func (s *Settings) protocols() ([]string, error) {
	var flat []string
	for _, pair := range s.List("listener.security.protocol.map") {
		name, protocol, found := strings.Cut(pair, ":")
		if !found {
			return nil, fmt.Errorf("%s: %q is no pair; write NAME:PLAINTEXT", s.describe("listener.security.protocol.map"), pair)
		}
		flat = append(flat, name, protocol)
	}
	return flat, nil
}

func (s *Settings) checkProtocol(name string, protocols []string) error {
	for i := 0; i < len(protocols); i += 2 {
		switch {
		case !strings.EqualFold(protocols[i], name):
		case protocols[i+1] == "PLAINTEXT":
			return nil
		default:
			return fmt.Errorf("%s: listener %s stands for %s, and only PLAINTEXT is served so far",
				s.describe("listeners"), name, protocols[i+1])
		}
	}
	return fmt.Errorf("%s: listener %s stands for no protocol; add %s:PLAINTEXT to listener.security.protocol.map",
		s.describe("listeners"), name, name)
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
