// Package conversation has the cases of ../../README.md, told once for all clients in Go.
package conversation

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	maxMessage = 1 << 20
	noCode     = 1005
)

// Connection is what a client brings; Close and WaitClosed give code and reason of the server's Close.
type Connection interface {
	Protocol() string
	Send(text bool, payload []byte) error
	SendFragments(parts []string, between func() error) error
	Receive() (text bool, payload []byte, err error)
	Ping(payload string) error
	Pong(payload string) error
	Close(code int, reason string) (int, string, error)
	WaitClosed() (int, string, error)
}

// Connect opens a connection; a refusal is a Refused.
type Connect func(url string, how How) (Connection, error)

// How to connect: what to offer, and whether fragments will be sent.
type How struct {
	Protocols []string
	Fragments bool
}

// Refused is the status of a server that did not answer 101.
type Refused int

func (status Refused) Error() string { return fmt.Sprintf("refused with %d", int(status)) }

// CannotDo is for what a library offers no way to do.
type CannotDo string

func (reason CannotDo) Error() string { return string(reason) }

// Run is the main program of a client: URL CASE...
func Run(connect Connect) {
	url, names := os.Args[1], os.Args[2:]
	good := true
	for _, name := range names {
		result := tell(func(path string, how How) (Connection, error) {
			return connect(url+path, how)
		}, name)
		fmt.Printf("%s: %s\n", name, result)
		good = good && !strings.HasPrefix(result, "failed")
	}
	if !good {
		os.Exit(1)
	}
}

func tell(connect Connect, name string) string {
	words := append(strings.Split(name, "/"), "", "")
	done := make(chan error, 1)
	go func() { done <- runCase(connect, words[0], words[1], words[2]) }()
	var err error
	select {
	case err = <-done:
	case <-time.After(limit()):
		err = fmt.Errorf("nothing happened for %v", limit())
	}
	var missing CannotDo
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &missing):
		return "cannot: " + err.Error()
	default:
		return "failed: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
}

func limit() time.Duration {
	if seconds, err := strconv.Atoi(os.Getenv("INTEROP_SECONDS")); err == nil {
		return time.Duration(seconds) * time.Second
	}
	return 20 * time.Second
}

func runCase(connect Connect, name, first, second string) error {
	switch name {
	case "text":
		return echoes(connect, text("Grüße aus Köln, 你好, 👋"), text("and one more"))
	case "binary":
		return echoes(connect, message{false, allOctets()}, message{false, []byte{0}})
	case "empty":
		return echoes(connect, text(""), message{false, nil}, text("not empty"))
	case "size":
		octets, _ := strconv.Atoi(first)
		return echoes(connect, message{false, pattern(octets)}, message{true, pattern(octets)})
	case "fragments":
		return fragments(connect, first)
	case "ping":
		return pings(connect)
	case "pong":
		return pong(connect, first)
	case "burst":
		return burst(connect)
	case "greeting":
		return greeting(connect)
	case "protocol":
		return protocol(connect, first)
	case "refused":
		return refused(connect)
	case "close":
		return closing(connect, codeOf(first), second)
	case "closed":
		path := strings.TrimRight("/close/"+first+"/"+second, "/")
		return ended(connect, path, nil, codeOf(first), second)
	case "too-large":
		return ended(connect, "/", &message{false, pattern(maxMessage + 1)}, 1009, "*")
	case "invalid-text":
		return ended(connect, "/", &message{true, []byte("caf\xe9")}, 1007, "*")
	case "terminated":
		return terminated(connect)
	}
	return CannotDo("this client has no such case")
}

type message struct {
	text    bool
	payload []byte
}

func text(words string) message { return message{true, []byte(words)} }

func allOctets() []byte {
	octets := make([]byte, 256)
	for i := range octets {
		octets[i] = byte(i)
	}
	return octets
}

func pattern(size int) []byte {
	octets := make([]byte, size)
	for i := range octets {
		octets[i] = byte(32 + i%95)
	}
	return octets
}

func codeOf(word string) int {
	if word == "" {
		return noCode
	}
	code, _ := strconv.Atoi(word)
	return code
}

func expect(connection Connection, wanted message) error {
	isText, payload, err := connection.Receive()
	if err != nil {
		return err
	}
	if isText != wanted.text || !bytes.Equal(payload, wanted.payload) {
		return fmt.Errorf("got %v %.60q, not %v %.60q", isText, payload, wanted.text, wanted.payload)
	}
	return nil
}

func echo(connection Connection, messages ...message) error {
	for _, one := range messages {
		if err := connection.Send(one.text, one.payload); err != nil {
			return err
		}
		if err := expect(connection, one); err != nil {
			return err
		}
	}
	return nil
}

func goodbye(connection Connection) error {
	code, _, err := connection.Close(1000, "")
	if err == nil && code != 1000 {
		err = fmt.Errorf("our Close was answered with %d", code)
	}
	return err
}

func echoes(connect Connect, messages ...message) error {
	connection, err := connect("/", How{})
	if err != nil {
		return err
	}
	if err := echo(connection, messages...); err != nil {
		return err
	}
	return goodbye(connection)
}

func fragments(connect Connect, kind string) error {
	connection, err := connect("/", How{Fragments: true})
	if err != nil {
		return err
	}
	parts := map[string][]string{
		"":     {"one, ", "", "three"},
		"cut":  {"gr\xc3", "", "\xbc\xc3", "\x9fe"},
		"ping": {"one, ", "two, ", "three"},
	}[kind]
	between := func() error { return nil }
	if kind == "ping" {
		between = func() error { return connection.Ping("between") }
	}
	if err := connection.SendFragments(parts, between); err != nil {
		return err
	}
	if err := expect(connection, text(strings.Join(parts, ""))); err != nil {
		return err
	}
	return goodbye(connection)
}

func pings(connect Connect) error {
	connection, err := connect("/", How{})
	if err != nil {
		return err
	}
	for _, payload := range []string{"hello", "", string(pattern(125))} {
		if err := connection.Ping(payload); err != nil {
			return err
		}
	}
	if err := echo(connection, text("still there")); err != nil {
		return err
	}
	return goodbye(connection)
}

func pong(connect Connect, kind string) error {
	if kind == "" {
		connection, err := connect("/ping", How{})
		if err != nil {
			return err
		}
		if err := expect(connection, text("pong are you there")); err != nil {
			return err
		}
		return goodbye(connection)
	}
	connection, err := connect("/", How{})
	if err != nil {
		return err
	}
	if err := connection.Pong("nobody asked"); err != nil {
		return err
	}
	if err := echo(connection, text("still there")); err != nil {
		return err
	}
	return goodbye(connection)
}

func burst(connect Connect) error {
	connection, err := connect("/", How{})
	if err != nil {
		return err
	}
	for i := range 100 {
		if err := connection.Send(true, fmt.Appendf(nil, "burst %d", i)); err != nil {
			return err
		}
	}
	return hundred(connection, "burst")
}

func greeting(connect Connect) error {
	connection, err := connect("/greeting", How{})
	if err != nil {
		return err
	}
	return hundred(connection, "greeting")
}

func hundred(connection Connection, word string) error {
	for i := range 100 {
		if err := expect(connection, text(fmt.Sprintf("%s %d", word, i))); err != nil {
			return err
		}
	}
	if err := echo(connection, text("thank you")); err != nil {
		return err
	}
	return goodbye(connection)
}

func protocol(connect Connect, kind string) error {
	offered, wanted := []string{"unknown"}, ""
	if kind == "agreed" {
		offered, wanted = []string{"unknown", "echo.v1", "echo.v2"}, "echo.v1"
	}
	connection, err := connect("/", How{Protocols: offered})
	if err != nil {
		return err
	}
	if connection.Protocol() != wanted {
		return fmt.Errorf("protocol %q, not %q", connection.Protocol(), wanted)
	}
	if err := echo(connection, text("spoken")); err != nil {
		return err
	}
	return goodbye(connection)
}

func refused(connect Connect) error {
	_, err := connect("/refuse", How{})
	var status Refused
	if errors.As(err, &status) && status == 403 {
		return nil
	}
	return fmt.Errorf("the handshake was not refused with 403: %v", err)
}

func closing(connect Connect, code int, reason string) error {
	connection, err := connect("/", How{})
	if err != nil {
		return err
	}
	got, said, err := connection.Close(code, reason)
	if err == nil && (got != code || said != "" && said != reason) {
		err = fmt.Errorf("our Close was answered with %d %q", got, said)
	}
	return err
}

// ended waits for the server's Close, after a message if there is one; the reason "*" is any.
func ended(connect Connect, path string, sent *message, code int, reason string) error {
	connection, err := connect(path, How{})
	if err != nil {
		return err
	}
	if sent != nil {
		_ = connection.Send(sent.text, sent.payload) // the Close that comes tells more than this error
	}
	got, said, err := connection.WaitClosed()
	if err == nil && (got != code || reason != "*" && said != reason) {
		err = fmt.Errorf("closed with %d %q", got, said)
	}
	return err
}

func terminated(connect Connect) error {
	connection, err := connect("/", How{})
	if err != nil {
		return err
	}
	if err := echo(connection, text("open")); err != nil {
		return err
	}
	fmt.Println("connected")
	code, _, err := connection.WaitClosed()
	if err == nil && code != 1001 {
		err = fmt.Errorf("closed with %d", code)
	}
	return err
}
