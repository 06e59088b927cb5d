// gorilla_server -- the echo server of ../../README.md with gorilla/websocket.
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"example.org/sockless-interop/serving"
	"github.com/gorilla/websocket"
)

var options = serving.Parse()

func talk(w http.ResponseWriter, request *http.Request) {
	upgrader := websocket.Upgrader{
		Subprotocols: options.Agree(request),
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	socket, err := upgrader.Upgrade(w, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	socket.SetReadLimit(options.MaxMessage)
	socket.SetPongHandler(func(payload string) error {
		if payload != "are you there" {
			return nil
		}
		return socket.WriteMessage(websocket.TextMessage, []byte("pong "+payload))
	})
	if err = begin(socket, request.URL.Path); err == nil {
		err = echo(socket)
	}
	end := websocket.CloseError{Code: 1006}
	if received := (*websocket.CloseError)(nil); errors.As(err, &received) {
		end = *received
	}
	serving.SayClosed(end.Code, end.Text)
	if errors.Is(err, websocket.ErrReadLimit) {
		// What the client still sends is read, so that no reset overtakes our Close.
		_ = socket.NetConn().SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, socket.NetConn())
	}
}

func begin(socket *websocket.Conn, path string) error {
	soon := time.Now().Add(5 * time.Second)
	switch {
	case path == "/ping":
		return socket.WriteControl(websocket.PingMessage, []byte("are you there"), soon)
	case path == "/greeting":
		for i := range 100 {
			if err := socket.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "greeting %d", i)); err != nil {
				return err
			}
		}
	case path == "/too-large":
		return socket.WriteMessage(websocket.BinaryMessage, make([]byte, options.MaxMessage+1))
	case path == "/invalid-text":
		return socket.WriteMessage(websocket.TextMessage, []byte("caf\xe9"))
	case strings.HasPrefix(path, "/close"):
		code, reason := serving.CloseOfPath(path)
		return socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), soon)
	}
	return nil
}

func echo(socket *websocket.Conn) error {
	for {
		kind, payload, err := socket.ReadMessage()
		if err != nil {
			return err
		}
		if err := socket.WriteMessage(kind, payload); err != nil {
			return err
		}
	}
}

func main() { options.Run(talk) }
