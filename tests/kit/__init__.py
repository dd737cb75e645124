"""The one place for doubles: host, store, tables, resolver, transports, certificates."""
