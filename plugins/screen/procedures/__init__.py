"""Procedures: what is done on a screen again and again, written down as text that a maintenance person can review.

values       what a procedure is: names, parameters, steps, what takes a step back
reading      from a YAML file, strictly, with the line of whatever is wrong; `writing` is the way back
filling      with a person's values: checked, and parted into stages of one writing step each
shelf        the procedures of a box, and which text of each a person has approved
carrying_out a stage on its screen: seen before and after, both pictures kept
runs         where a run stands, by the journal
actuator     stages as commands of the core: each approved by a person, sent once, never repeated
recording    written by being shown once
"""
