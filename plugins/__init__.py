"""The plugins that come with Watchkeeper. They are found by entry point, like anybody else's."""
