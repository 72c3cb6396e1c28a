"""What happened at this door: signed, chained, sealed; also the outbox."""
