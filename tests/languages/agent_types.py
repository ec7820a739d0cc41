"""Classes that only the Python of an agent has."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pydantic import BaseModel


class Color(Enum):
    RED = "red"


class Pair(NamedTuple):
    left: int
    right: object


@dataclass
class Point:
    x: int
    notes: object


class Person(BaseModel):
    name: str
    tags: set[str]


ALL = (Color, Pair, Point, Person)
