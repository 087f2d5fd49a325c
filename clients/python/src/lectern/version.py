from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("lectern")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "0"
