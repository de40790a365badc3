"""Questions about the log's series: which signal, which figure, which span of time; computed with numpy, worded here.

`asked` understands, `signals` finds the signal, `measures` computes, `answers` words it.
"""
