"""What a parameter is, and what main.cf and master.cf say: floor 1, no Twisted, no clock."""
