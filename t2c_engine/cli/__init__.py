"""The command line `t2c`. Nothing in the engine imports it."""
