"""An agent that does all it can against the run and the operator: nothing of it succeeds, the run goes on, it is told.

Each thing is tried by an agent that nothing confines, and, where bubblewrap can be used, by one that is confined.
"""
