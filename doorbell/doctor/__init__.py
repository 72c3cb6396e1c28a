"""The doctor: looks at this machine and this door, and says of each thing whether it is good, and if not, the fix.

A check is a small function that takes the Door and gives one Finding. It changes nothing, raises nothing a person
could cause, and waits no longer than its bound. CHECKS in ``rounds.py`` is the closed list, in the order a person
would mend things.
"""
