"""Decorating: what cells have handed to functions of modules, to decorators above all, is handed to those of now."""
