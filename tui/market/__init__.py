"""What a market is: names, events and arithmetic, pure and synchronous."""
