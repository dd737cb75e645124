"""Words that know no mail and no Twisted."""
