"""`python -m agent.workers`: the child's side."""

from agent.workers.child import main

if __name__ == "__main__":
    main()
