"""What observers chose: choices, statistics, reports, and simulated observers."""
