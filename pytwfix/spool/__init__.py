"""The queue on disk, as Postfix has it: directories, queue files, reports, maildrop (INVENTORY 6, RF-*, QU-*, ST-*).

`records` is the codec, `queuefile` what the records of a file mean, `store` the IQueueStore of the daemon,
`reportlogs` bounce/, defer/ and trace/, `maildrop` what sendmail leaves, `layout` the directories, `exclusive` the lock
of an instance. `records`, `queuefile`, `maildrop` and `layout` are light: commands import them.
"""
