"""The engine process: frames on pipes or a socket. `python -m t2c_engine.serving` starts it on pipes."""
