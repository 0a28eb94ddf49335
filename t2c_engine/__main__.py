"""`python -m t2c_engine` is `t2c`."""

from t2c_engine.cli import main

main()
