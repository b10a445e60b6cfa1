from engine.memory.books import Memory as Memory
from engine.memory.contexts import ContextBook as ContextBook
from engine.memory.failures import FailureLog as FailureLog
from engine.memory.fixes import FixBook as FixBook
from engine.memory.inbox import Inbox as Inbox
from engine.memory.patterns import PatternBook as PatternBook
