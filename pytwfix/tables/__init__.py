"""Lookup tables: who asks for `type:name` gets an answer, whatever holds it (INVENTORY 3; DATABASE_README's types).

`registry` opens a table by its name, one module a type does the work. Each type is a `driver.Driver`: a plain object
whose `get(key)` answers at once or blocks; it knows no Twisted, so that postmap starts fast. `adapter` puts a Deferred
above it (and a thread below it where it blocks). Above the tables: `maps` (search lists), `addresses` (lookup orders
for mail addresses and hosts), `matchlists` (lists of domains and networks). `build` makes indexed files (postmap).
"""
