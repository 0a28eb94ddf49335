"""Ask people: pages on which observers choose, and the statistics of what they chose."""
