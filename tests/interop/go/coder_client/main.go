// coder_client URL CASE... -- the cases with coder/websocket.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/sockless-interop/conversation"
	"github.com/coder/websocket"
)

type received struct {
	kind    websocket.MessageType
	payload []byte
	err     error
}

// Pings need somebody who reads meanwhile; what that reads is kept for Receive.
type connection struct {
	socket  *websocket.Conn
	reading chan received
}

func connect(url string, how conversation.How) (conversation.Connection, error) {
	socket, answer, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{
		Subprotocols:    how.Protocols,
		CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil && answer != nil && answer.StatusCode != 101 {
		return nil, conversation.Refused(answer.StatusCode)
	}
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(1 << 20)
	return &connection{socket: socket}, nil
}

func (c *connection) Protocol() string { return c.socket.Subprotocol() }

func (c *connection) Send(text bool, payload []byte) error {
	kind := websocket.MessageBinary
	if text {
		kind = websocket.MessageText
	}
	return c.socket.Write(context.Background(), kind, payload)
}

func (c *connection) SendFragments(parts []string, between func() error) error {
	writer, err := c.socket.Writer(context.Background(), websocket.MessageText)
	if err != nil {
		return err
	}
	for i, part := range parts {
		if i == 1 {
			if err := between(); err != nil {
				return err
			}
		}
		if _, err := writer.Write([]byte(part)); err != nil {
			return err
		}
	}
	return writer.Close()
}

func (c *connection) read() received {
	kind, payload, err := c.socket.Read(context.Background())
	return received{kind, payload, err}
}

func (c *connection) Receive() (bool, []byte, error) {
	var next received
	if c.reading != nil {
		next = <-c.reading
		c.reading = nil
	} else {
		next = c.read()
	}
	return next.kind == websocket.MessageText, next.payload, next.err
}

// Ping sends a payload of coder's own choice and waits for that.
func (c *connection) Ping(string) error {
	if c.reading == nil {
		reading := make(chan received, 1)
		c.reading = reading
		go func() { reading <- c.read() }()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return c.socket.Ping(ctx)
}

func (c *connection) Pong(string) error {
	return conversation.CannotDo("sends no pong that nobody asked for")
}

func (c *connection) Close(code int, reason string) (int, string, error) {
	err := c.socket.Close(websocket.StatusCode(code), reason)
	if err == nil {
		return code, "", nil // the answer had the same code
	}
	return codeOf(err)
}

func (c *connection) WaitClosed() (int, string, error) {
	_, payload, err := c.Receive()
	if err == nil {
		return 0, "", fmt.Errorf("a message: %.40q", payload)
	}
	return codeOf(err)
}

func codeOf(err error) (int, string, error) {
	var end websocket.CloseError
	if errors.As(err, &end) {
		return int(end.Code), end.Reason, nil
	}
	return 0, "", err
}

func main() { conversation.Run(connect) }
