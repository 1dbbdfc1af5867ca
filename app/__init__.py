"""The PrimeTrade Task Manager: one codebase, run whole or as one service."""
