// gorilla_client URL CASE... -- the cases with gorilla/websocket.
package main

import (
	"errors"
	"fmt"
	"time"

	"example.org/sockless-interop/conversation"
	"github.com/gorilla/websocket"
)

// gorilla cuts a message where its write buffer ends, so this is the size of the fragments.
const fragmentSize = 3

type received struct {
	kind    int
	payload []byte
}

type connection struct {
	socket   *websocket.Conn
	messages chan received
	pongs    chan string
	end      error // when messages is closed
}

func open(url string, dialer websocket.Dialer) (conversation.Connection, error) {
	socket, answer, err := dialer.Dial(url, nil)
	if errors.Is(err, websocket.ErrBadHandshake) && answer.StatusCode != 101 {
		return nil, conversation.Refused(answer.StatusCode)
	}
	if err != nil {
		return nil, err
	}
	opened := &connection{socket, make(chan received, 200), make(chan string, 10), nil}
	socket.SetPongHandler(func(payload string) error {
		opened.pongs <- payload
		return nil
	})
	go opened.read()
	return opened, nil
}

func (c *connection) read() {
	for {
		kind, payload, err := c.socket.ReadMessage()
		if err != nil {
			c.end = err
			close(c.messages)
			return
		}
		c.messages <- received{kind, payload}
	}
}

func (c *connection) Protocol() string { return c.socket.Subprotocol() }

func (c *connection) Send(text bool, payload []byte) error {
	if text {
		return c.socket.WriteMessage(websocket.TextMessage, payload)
	}
	return c.socket.WriteMessage(websocket.BinaryMessage, payload)
}

func (c *connection) SendFragments(parts []string, between func() error) error {
	writer, err := c.socket.NextWriter(websocket.TextMessage)
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

func (c *connection) Receive() (bool, []byte, error) {
	message, open := <-c.messages
	if !open {
		return false, nil, c.end
	}
	return message.kind == websocket.TextMessage, message.payload, nil
}

func (c *connection) control(kind int, payload []byte) error {
	return c.socket.WriteControl(kind, payload, time.Now().Add(5*time.Second))
}

func (c *connection) Ping(payload string) error {
	if err := c.control(websocket.PingMessage, []byte(payload)); err != nil {
		return err
	}
	select {
	case got := <-c.pongs:
		if got != payload {
			return fmt.Errorf("pong %.40q, not %.40q", got, payload)
		}
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("no pong")
	}
}

func (c *connection) Pong(payload string) error {
	return c.control(websocket.PongMessage, []byte(payload))
}

func (c *connection) Close(code int, reason string) (int, string, error) {
	if err := c.control(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason)); err != nil {
		return 0, "", err
	}
	return c.WaitClosed()
}

func (c *connection) WaitClosed() (int, string, error) {
	if message, open := <-c.messages; open {
		return 0, "", fmt.Errorf("a message: %.40q", message.payload)
	}
	var end *websocket.CloseError
	if errors.As(c.end, &end) {
		return end.Code, end.Text, nil
	}
	return 0, "", c.end
}

func connect(url string, how conversation.How) (conversation.Connection, error) {
	dialer := websocket.Dialer{Subprotocols: how.Protocols, EnableCompression: true}
	if how.Fragments {
		dialer = websocket.Dialer{WriteBufferSize: fragmentSize}
	}
	return open(url, dialer)
}

func main() { conversation.Run(connect) }
