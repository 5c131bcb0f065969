/** What the server's own pages of the console say, in Spanish. */
import type { Pages } from "./en.ts";

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
