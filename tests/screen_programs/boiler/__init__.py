"""The screen of a boiler house, in Tk, for a desktop. It knows nothing of the agent, and no package.

`python3 -m tests.screen_programs.boiler FOLDER` reads FOLDER/start.json and writes FOLDER/record.jsonl:
one line for each press of the pointer and each change, with the whole state after it.
"""
