"""What is wanted of the programs, as data: tasks that can be done, and lies that must not be fallen for."""

from tests.screen_programs.tasks.reading import Lie, Task, Variant, read_lies, read_tasks, variants

__all__ = ["Lie", "Task", "Variant", "read_lies", "read_tasks", "variants"]
