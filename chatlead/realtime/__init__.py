"""The realtime kernel: sockets, topics, events and commands. Knows no domain."""
