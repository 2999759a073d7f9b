"""The fault matrix: one table of everything that can go wrong, and one test for each row.

row         what a row says: the fault, what happens meanwhile, what is promised after it
bench       two accounts over two simulated APIs on virtual time: a faulty one, its neighbour
judge       what the figures must be, from the simulator's truth alone
during      how a fault is brought about
table       the rows, from answers, data, paging, clocks, worlds, stores, processes, scrapers
page        the table in docs/reliability.md (`make docs`, or `python -m tests.faults`)
"""
