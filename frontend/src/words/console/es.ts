/** The console in Spanish, with usted. */
import { counted } from "../numbers.ts";
import type { Pages, Words } from "./en.ts";

const alerts: Words["alerts"] = {
  oneWaits: "Un visitante espera",
  named: (name) => `${name} espera`,
  passedOn: "Le han pasado un chat",
  passedOnNamed: (name) => `Le han pasado el chat con ${name}`,
  newMessage: "Un mensaje nuevo",
  messageOf: (name) => `${name} ha escrito`,
  open: "Abra la consola para responder.",
  silent: "El navegador mantiene esta página en silencio hasta que usted lo permita, así que no oiría que alguien espera.",
  silentStill: "El navegador sigue manteniendo esta página en silencio. Permita el sonido para esta dirección en los ajustes del sitio, junto a la barra de direcciones, compruebe que el equipo tiene salida de sonido y vuelva a cargar la página.",
  unasked: "Mientras otra ventana esté delante, nada le avisa de que alguien espera hasta que permita las notificaciones.",
  both: "El navegador todavía no permite aquí ni sonido ni notificaciones, así que podría pasar por alto que alguien espera.",
  denied: "El navegador bloquea las notificaciones de esta dirección. Abra los ajustes del sitio, junto a la barra de direcciones, permita las notificaciones y esta línea desaparecerá.",
  soundOn: "Activar el sonido",
  allow: "Permitir notificaciones",
  allowBoth: "Permitir ambos",
  notNow: "Ahora no",
};

const settings: Words["settings"] = {
  title: "Ajustes",
  open: "Ajustes",
  done: "Listo",
  here: "Valen para usted en este navegador.",
  sound: "Sonido cuando alguien espera o escribe",
  volume: "Volumen",
  try: "Escuchar",
  notify: "Notificaciones mientras otra ventana esté delante",
  notifyOff: "El navegador todavía no las permite.",
  detail: "Mostrar nombres y primeras palabras en las notificaciones",
  detailHint: "Quien vea su pantalla puede leerlos. Sin esto solo dicen que un visitante espera.",
  undo: "Tiempo para deshacer una respuesta",
  undoHint: "Durante ese tiempo la respuesta se retiene antes de enviarse.",
  undoOff: "Desactivado, las respuestas se envían al momento",
  seconds: (n) => counted("es", n, { one: "# segundo", other: "# segundos" }),
  language: "Idioma",
  languageAuto: "El que pida el navegador",
};

const thread: Words["thread"] = {
  sendsIn: (n) => `Se envía en ${counted("es", n, { one: "# segundo", other: "# segundos" })}`,
  undo: "Deshacer",
};

export const pages: Pages = {
  skip: "Ir al contenido",
  main: "Principal",
  console: "Consola",
  about: "ChatLead, chat en directo en su propio servidor",
  app: "Consola de ChatLead",
  appText: "Atienda a las personas que visitan su sitio web.",
  noScriptTitle: "La consola necesita JavaScript",
  noScript: "Los chats llegan mientras la página está abierta. Permita JavaScript para esta dirección y vuelva a cargar la página.",
  logIn: "Iniciar sesión",
  logInText: "Atienda a las personas que visitan su sitio web.",
  email: "Correo electrónico",
  password: "Contraseña",
  required: "Este campo es obligatorio.",
  badEmail: "Escriba una dirección de correo válida.",
  noMatch: "El correo y la contraseña no coinciden. Revise ambos e inténtelo de nuevo.",
  tooMany: "Demasiados intentos. Espere diez minutos.",
  offline: "Sin conexión",
  offlineText: "No se puede acceder a la consola. Su dispositivo está sin conexión, o lo está el servidor. Lo que estaba escribiendo se guarda en esta pestaña y vuelve con la consola. Los visitantes que esperan siguen esperando, o se les ofrece dejar un mensaje.",
  offlineAgain: "Esta página lo intenta de nuevo por sí sola cada diez segundos.",
  tryNow: "Intentar ahora",
};

export const words: Words = { lang: "es", alerts, settings, thread };
