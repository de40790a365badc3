"""`python -m deploy.release`, from the top of a checkout."""

from deploy.release.release import main

main()
