"""The same list as one writes it with FastAPI and SQLAlchemy 2: who asks is loaded, the tasks counted, a page read."""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    disabled_at: Mapped[datetime | None]


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    title: Mapped[str]
    description: Mapped[str]
    status: Mapped[str]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int]


class TaskPublic(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    title: str
    description: str
    status: str
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class TasksPublic(BaseModel):
    data: list[TaskPublic]
    count: int


engine = create_engine(os.environ["APP_DATABASE_URL"], pool_size=8, max_overflow=2)
app = FastAPI()


def session() -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


Opened = Annotated[Session, Depends(session)]
Token = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/login"))]


def current_user(opened: Opened, token: Token) -> User:
    try:
        claims = jwt.decode(token, os.environ["APP_SECRET_KEY"], algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(403, "Could not validate credentials") from None
    user = opened.get(User, UUID(claims["sub"]))
    if user is None or user.disabled_at is not None:
        raise HTTPException(404, "User not found")
    return user


@app.get("/tasks", response_model=TasksPublic)
def read_tasks(opened: Opened, user: Annotated[User, Depends(current_user)], skip: int = 0, limit: int = 20) -> object:
    count = opened.scalar(select(func.count()).select_from(Task).where(Task.user_id == user.id))
    statement = select(Task).where(Task.user_id == user.id).order_by(Task.created_at.desc()).offset(skip).limit(limit)
    return {"data": opened.scalars(statement).all(), "count": count}
