"""How mail comes in: smtpd, postscreen, qmqpd, pickup."""
