"""qmqpd: takes mail in by QMQP, from clients that are trusted to have done all the rest (QD-1).

Asks cleanup, and nobody else. Stands for Postfix's qmqpd(8).
"""
