"""`python -m t2c_engine.serving` is the engine on stdin and stdout, without the command line around it."""

from t2c_engine.serving.server import run

run()
