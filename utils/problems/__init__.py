"""The problems of the exercises: how an answer behaves that is right, and what wrong ones mean.

One module for each assignment, named as its lesson, and under them:

- `text`: a message in English and Korean;
- `problem`: what a problem is, and all of them by number;
- `answers`: runs a learner's code with a time limit, and shows its errors at the learner's line;
- `values`: compares what came out with what should have;
- `judging`: tries a function on inputs and names the mistake behind what it gave.

A learner has these modules: they hold no solution and no hidden test.
"""
