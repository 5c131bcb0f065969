"""The usual way: AsyncJsonWebsocketConsumer, the ORM, a channel layer."""
