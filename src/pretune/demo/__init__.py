"""`pretune demo`: the parts shown one after the other, offline, on a small real model and a sample written for it."""
