"""Lets twistd find pytwfix: a ServiceMaker, nothing else."""

from twisted.application.service import ServiceMaker

pytwfix = ServiceMaker("pytwfix", "pytwfix.master.tap", "The Postfix mail system on Twisted", "pytwfix")
