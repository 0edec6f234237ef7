"""Running connections to providers: asyncio, no Textual."""
