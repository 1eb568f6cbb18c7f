"""A provider of models that is not one: real agent programs talk to it, and tests say what it answers.

It listens on the loopback only, counts what it tells, and has no state but what a test gives it.
"""
