package main

import (
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

func main() {
	quiet := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	server := mqtt.New(&mqtt.Options{Logger: quiet})
	_ = server.AddHook(&access{allowed: os.Args[2]}, nil)
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: os.Args[1]})
	if err := server.AddListener(tcp); err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Serve() }()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
	_ = server.Close()
}

// Everybody may do everything; where "watching" is all that is allowed, nobody may subscribe to commands.
type access struct {
	mqtt.HookBase
	allowed string
}

func (h *access) ID() string { return "access" }

func (h *access) Provides(b byte) bool { return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck }

func (h *access) OnConnectAuthenticate(_ *mqtt.Client, _ packets.Packet) bool { return true }

func (h *access) OnACLCheck(_ *mqtt.Client, topic string, isWrite bool) bool {
	return isWrite || h.allowed == "all" || topic != "museum/+/set"
}
