"""The scripts here are a user's: `.ci/run` has them with the installed wheel."""

collect_ignore_glob = ["*_script.py"]
