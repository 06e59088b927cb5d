// coder_server -- the echo server of ../../README.md with coder/websocket.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"example.org/sockless-interop/serving"
	"github.com/coder/websocket"
)

var options = serving.Parse()

func talk(w http.ResponseWriter, request *http.Request) {
	socket, err := websocket.Accept(w, request, &websocket.AcceptOptions{
		Subprotocols:       options.Agree(request),
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionContextTakeover,
	})
	if err != nil {
		return
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(options.MaxMessage)
	ctx := request.Context()
	begun := make(chan error, 1)
	go func() { begun <- begin(ctx, socket, request.URL.Path) }()
	err = echo(ctx, socket)
	if ended := <-begun; websocket.CloseStatus(ended) != -1 {
		err = ended // the Close came while begin() was closing
	}
	end := websocket.CloseError{Code: 1006}
	errors.As(err, &end)
	serving.SayClosed(int(end.Code), end.Reason)
	if errors.Is(err, websocket.ErrMessageTooBig) {
		_ = socket.Close(websocket.StatusMessageTooBig, "") // reads on until the client's Close
	}
}

func begin(ctx context.Context, socket *websocket.Conn, path string) error {
	switch {
	case path == "/ping":
		if err := socket.Ping(ctx); err != nil { // its payload is coder's own
			return err
		}
		return socket.Write(ctx, websocket.MessageText, []byte("pong are you there"))
	case path == "/greeting":
		for i := range 100 {
			if err := socket.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "greeting %d", i)); err != nil {
				return err
			}
		}
	case path == "/too-large":
		return socket.Write(ctx, websocket.MessageBinary, make([]byte, options.MaxMessage+1))
	case path == "/invalid-text":
		return socket.Write(ctx, websocket.MessageText, []byte("caf\xe9"))
	case strings.HasPrefix(path, "/close"):
		code, reason := serving.CloseOfPath(path)
		return socket.Close(websocket.StatusCode(code), reason)
	}
	return nil
}

func echo(ctx context.Context, socket *websocket.Conn) error {
	for {
		kind, payload, err := socket.Read(ctx)
		if err != nil {
			return err
		}
		if err := socket.Write(ctx, kind, payload); err != nil {
			return err
		}
	}
}

func main() { options.Run(talk) }
