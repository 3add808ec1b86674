"""Data in RSNA 2024's layout: the tables, what is wrong with them, folds of the studies."""

from .checks import Problem, table_problems
from .folds import stratified_folds
from .images import image_problems
from .tables import RsnaTables, read_tables

__all__ = ["Problem", "RsnaTables", "image_problems", "read_tables", "stratified_folds", "table_problems"]
