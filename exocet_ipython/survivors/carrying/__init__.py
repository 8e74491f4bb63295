"""Carrying over: what cells put into the state of a module is in the module that takes its place."""
