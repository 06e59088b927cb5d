// Package serving is what the servers in Go share: their options and the lines they print.
package serving

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Options of a server; --protocol may be given several times.
type Options struct {
	Port       int
	MaxMessage int64
	Protocols  []string
}

// Parse reads the command line.
func Parse() *Options {
	options := new(Options)
	flag.IntVar(&options.Port, "port", 0, "0 picks one")
	flag.Int64Var(&options.MaxMessage, "max-message", 1<<20, "octets")
	flag.Func("protocol", "a protocol that is agreed to", func(name string) error {
		options.Protocols = append(options.Protocols, name)
		return nil
	})
	flag.Parse()
	return options
}

// Agree gives the first protocol that the client offers and we know, as the only one or none.
func (options *Options) Agree(request *http.Request) []string {
	for _, line := range request.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); slices.Contains(options.Protocols, name) {
				return []string{name}
			}
		}
	}
	return nil
}

// CloseOfPath gives the code, or 1005, and the reason that /close, /close/CODE or /close/CODE/REASON asks for.
func CloseOfPath(path string) (code int, reason string) {
	words := strings.Split(path, "/")
	code = 1005
	if len(words) > 2 {
		code, _ = strconv.Atoi(words[2])
	}
	return code, strings.Join(words[min(3, len(words)):], "")
}

// SayClosed prints how a connection ended.
func SayClosed(code int, reason string) {
	fmt.Println(strings.TrimSpace(fmt.Sprintf("closed %d %s", code, reason)))
}

// Run serves on the loopback until the process is ended.
func (options *Options) Run(talk http.HandlerFunc) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", options.Port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on %v\n", listener.Addr())
	http.HandleFunc("/", talk)
	http.HandleFunc("/refuse", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	_ = http.Serve(listener, nil)
}
