"""`python -m t2c_engine` is `t2c`."""

from t2c_engine.cli.main import main

main()
